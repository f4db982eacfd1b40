class V1::TokensController < ActionController::Base
  def create; end
end
