class V2::TokensController < ActionController::Base
  def create; end
end
