class Api::V2::SessionsController < ActionController::Base
  def create; end
end
