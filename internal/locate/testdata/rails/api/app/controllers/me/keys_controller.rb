class Me::KeysController < ActionController::Base
  def destroy; end
  def index; end
end
